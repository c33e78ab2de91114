import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }

interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly deploy?: { readonly replicas: number }
}

describe('compose.yaml', () => {
  let text: string
  let services: Readonly<Record<string, Service>>
  let volumes: Readonly<Record<string, unknown>>
  beforeAll(async () => {
    text = await readFile('compose.yaml', 'utf8')
    ;({ services, volumes } = parse(text, { merge: true }))
  })
  const service = (name: string): Service => {
    const found = services[name]
    if (!found) throw new Error(`there is no ${name}`)
    return found
  }

  it('has a Redis that keeps every task: written as it goes, and none dropped for room', () => {
    const command = service('redis').command?.join(' ')
    expect(command).toContain('--appendonly yes')
    expect(command).toContain('--maxmemory-policy noeviction')
    expect(service('redis').volumes).toEqual(['redis:/data'])
    expect(service('s3').volumes).toEqual(['s3:/data'])
    expect(Object.keys(volumes)).toEqual(['redis', 's3'])
  })

  it('starts coordinator and workers of one image when Redis answers and the bucket is there', () => {
    for (const name of ['coordinator', 'worker']) {
      const { image, environment, depends_on: after } = service(name)
      expect(image).toBe(`groundmill:${version}`)
      expect(environment?.GROUNDMILL_QUEUE).toMatch(/@redis:6379$/)
      expect(after).toEqual({
        redis: { condition: 'service_healthy' },
        bucket: { condition: 'service_completed_successfully' },
      })
    }
    expect(service('bucket').depends_on).toEqual({ s3: { condition: 'service_healthy' } })
    for (const name of ['redis', 's3']) expect(service(name).healthcheck?.test[0]).toMatch(/^CMD/)
    expect(service('worker').deploy?.replicas).toBeGreaterThan(1)
  })

  it('puts the run into the bucket that it makes', () => {
    expect(service('coordinator').command?.join(' ')).toMatch(/--dataset s3:\/\/groundmill\//)
    expect(service('bucket').entrypoint?.at(-1)).toBe('s3/groundmill')
  })

  it('holds no secret, shows no port, and says so where a secret is missing', () => {
    const secret = /KEY|PASSWORD|AUTH|MC_HOST|QUEUE/
    for (const [name, { environment = {}, ports }] of Object.entries(services)) {
      expect(ports, name).toBeUndefined()
      for (const [key, value] of Object.entries(environment)) {
        if (!secret.test(key) && key !== 'MINIO_ROOT_USER') continue
        const rest = value.replace(/\$\{[A-Z0-9_]+:\?[^}]+\}/g, '')
        expect(rest, `${name}: ${key}`).toMatch(/^(redis:\/\/:@redis:6379|http:\/\/:@s3:9000)?$/)
      }
    }
    expect(text).not.toMatch(/\$\{(?:REDIS_PASSWORD|S3_\w+)(?::?-|\})/)
  })

  it('has images with a version', () => {
    for (const [name, { image }] of Object.entries(services)) expect(image, name).toMatch(/:(?!latest).+$/)
  })
})

describe('Dockerfile', () => {
  let instructions: readonly (readonly [string, string])[]
  beforeAll(async () => {
    const text = await readFile('Dockerfile', 'utf8')
    const lines = text
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .join('\n')
      .replace(/\\\n\s*/g, '')
      .split('\n')
      .filter((line) => line !== '')
    instructions = lines.map((line) => [line.split(' ')[0] ?? '', line.slice(line.indexOf(' ') + 1)])
  })

  it('ends as a user that is not root, by number, and runs groundmill', () => {
    const last = instructions.findLastIndex(([name]) => name === 'FROM')
    const final = instructions.slice(last)
    expect(instructions.filter(([name]) => name === 'FROM')).toHaveLength(2)
    expect(final).toContainEqual(['USER', '1000:1000'])
    expect(final.at(-2)).toEqual(['ENTRYPOINT', '["groundmill"]'])
    expect(final.at(-1)).toEqual(['CMD', '["--help"]'])
    // What is installed for building stays behind.
    for (const [name, rest] of final) if (name === 'COPY') expect(rest).toMatch(/^--from=build /)
  })

  it('copies what there is and what .dockerignore lets through', async () => {
    const ignore = (await readFile('.dockerignore', 'utf8')).split('\n')
    const kept = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
    expect(ignore).toContain('*')
    for (const path of kept) expect(existsSync(path), path).toBe(true)
    const packed = (JSON.parse(await readFile('package.json', 'utf8')) as { files: string[] }).files
    const copied = instructions.flatMap(([name, rest]) =>
      name === 'COPY' ? rest.split(' ').filter((word) => !word.startsWith('--')) : [],
    )
    // Everything of the package is in the image, and is there to be built from.
    for (const path of packed) {
      expect(copied, path).toContain(`/src/${path}`)
      if (path !== 'dist') expect(kept, path).toContain(path)
    }
    expect(kept).toEqual(expect.arrayContaining(['src', 'scripts', 'package-lock.json', '.npmrc']))
  })

  it('keeps the optional peers that a bucket and a queue need', async () => {
    const { devDependencies, peerDependencies } = JSON.parse(await readFile('package.json', 'utf8'))
    const keep = instructions.find(([, rest]) => rest.includes('keep-peers'))?.[1] ?? ''
    for (const name of ['@aws-sdk/client-s3', 'bullmq', 'ioredis']) {
      expect(keep.split(' ')).toContain(name)
      expect(Object.keys(devDependencies)).toContain(name)
      expect(Object.keys(peerDependencies)).toContain(name)
    }
  })
})
