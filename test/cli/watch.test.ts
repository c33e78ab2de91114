import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { plainText } from '../../src/base/plain-text.js'
import { redrawn } from '../../src/cli/terminal/redrawn.js'
import { startGroundmill } from '../helpers/groundmill.js'
import { parsePrometheusText } from '../helpers/prometheus-text.js'
import { runCommand } from '../helpers/run-command.js'
import { s3Server } from '../helpers/s3-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { watchedRun } from '../helpers/watched-run.js'

const hostile = 'no\u001b[2Jsuch\u202eword\r\nfake line\u0007'
const busy = (done: number) => ({
  task: { stage: 'chunk', shard: '00000', since: new Date().toISOString(), done, total: 12 },
})

describe('groundmill watch', () => {
  it('prints once what is going on, and obeys nothing of it', async () => {
    const server = await s3Server()
    for (const watched of [await watchedRun(), await watchedRun(server.url('run'))]) {
      await watched.present('a', { ...busy(3), rate: 4 })
      await watched.present('b', {
        host: `else\u001b[31mwhere`,
        pid: 7,
        tasks: { made: 2, skipped: 0, failed: 1 },
        failed: [{ stage: 'chunk', shard: '00001', error: hostile }],
      })
      const { code, out, err } = await runCommand('watch', watched.run.url, '--once')
      expect(err).toBe('')
      expect(code).toBe(0)
      expect(out).toContain('2 processes work')
      expect(out).toMatch(/gold +ingest +3 +3 +0 +0 +0/)
      expect(out).toMatch(/chunk +chunk +3 +0 +1 +1 +1 +4\.0/)
      expect(out).toMatch(/\(worker\): chunk 00000 25 % 4\.0\/s, 0 made\n/)
      expect(out).toContain('else\ufffd[31mwhere 7 (worker): waits, 2 made, 1 set aside\n')
      expect(out).toContain('  chunk 00001: no\ufffd[2Jsuch\ufffdword\ufffd\ufffdfake line\ufffd\n')
      const { out: json } = await runCommand('watch', watched.run.url, '--once', '--json')
      expect(json.match(/\n/g)).toHaveLength(1)
      expect(JSON.parse(json)).toMatchObject({
        run: watched.run.url,
        isDone: false,
        setAside: [{ error: hostile }],
      })
    }
  })

  it('prints a line for each change, tells metrics, and ends when all is done', async () => {
    const watched = await watchedRun()
    await watched.present('a', busy(3))
    const watching = startGroundmill(['watch', watched.run.url, '--metrics', '0'])
    const until = async (pattern: RegExp, text: () => string) => {
      while (!pattern.test(text())) await delay(20)
      return (pattern.exec(text()) as RegExpExecArray)[0]
    }
    const address = (await until(/http\S+/, watching.err)).trim()
    await until(/chunk 0\/3 done, 1 under way/, watching.out)
    const metrics = parsePrometheusText(await (await fetch(address)).text())
    expect(metrics.get('groundmill_run_tasks')?.samples).toContainEqual({
      ...{ name: 'groundmill_run_tasks', labels: { stage: 'chunk', state: 'under_way' }, value: 1 },
    })
    await watched.chunk()
    await until(/chunk 3\/3 done\n/, watching.out)
    await watched.run.write('models/teacher/record.json', '{}')
    await watched.run.remove('.groundmill/workers/a.json')
    const { code, out } = await watching.ended
    expect(code).toBe(0)
    expect(out).toMatch(/Z {2}done\n/)
    expect(out.match(/gold 3\/3 done/g)).toHaveLength(1)
  })

  it('ends with 1 where what is left was set aside, and with 130 when it is told to', async () => {
    const watched = await watchedRun()
    await watched.chunk()
    const waiting = startGroundmill(['watch', watched.run.url, '--json'])
    while (!waiting.out().includes('\n')) await delay(20)
    waiting.signal('SIGINT')
    expect(await waiting.ended).toMatchObject({ code: 130, err: '' })
    await watched.present('a', {
      ended: new Date().toISOString(),
      failed: [{ stage: 'teacher', error: 'no' }],
    })
    expect(await runCommand('watch', watched.run.url)).toMatchObject({ code: 1 })
    const { out } = await runCommand('stats', watched.run.url)
    expect(out).toContain('\nset aside\n  teacher: no\n')
  })

  it('says where there is nothing to watch', async () => {
    const folder = await temporaryFolder()
    const { code, err } = await runCommand('watch', folder)
    expect(code).toBe(2)
    expect(err).toBe(
      `groundmill: ${folder} has no run to watch: none has left its pipeline there. Start one with groundmill run.\n`,
    )
    expect((await runCommand('watch', folder, '--metrics', 'x')).err).toContain('expected PORT or HOST:PORT')
  })
})

describe('a page that is drawn over', () => {
  it('goes back over as many lines as it drew, each as wide as the terminal', () => {
    let written = ''
    const write = (text: string) => {
      written += text
      return true
    }
    const stream = { write, columns: 8, rows: 4 }
    const draw = redrawn(stream as unknown as NodeJS.WriteStream)
    draw('one\ntwo is longer than it')
    expect(written).toBe('one\ntwo is \n')
    written = ''
    draw('1\n2\n3\n4\n5')
    expect(written).toBe('\u001b[2A\r\u001b[J1\n2\n3\n')
    written = ''
    draw('end')
    expect(written).toBe('\u001b[3A\r\u001b[Jend\n')
  })

  it('has no text in it that a terminal obeys', () => {
    expect(plainText('a\u001b[1mb\u009bc\td\u2028e\u202ef')).toBe('a\ufffd[1mb\ufffdc\ufffdd\ufffde\ufffdf')
    expect(plainText('größe 猫 👩‍🚀')).toBe('größe 猫 👩‍🚀')
  })
})
