import type { Job } from 'bullmq'
import { hideCredentials } from '../../base/credentials.js'
import type { JobProgress } from './queue-job.js'

const everyMs = 1000
/** Notices kept between two reports. */
const mostNotices = 20

/** Tells the coordinator how a job goes on, at most once a second. What does not arrive is no harm. */
export function openJobReporter(job: Pick<Job, 'updateProgress'>) {
  let at: JobProgress['at']
  let notices: string[] = []
  let timer: NodeJS.Timeout | undefined
  const send = async () => {
    clearTimeout(timer)
    timer = undefined
    if (!at && notices.length === 0) return
    const progress: JobProgress = { ...(at && { at }), ...(notices.length > 0 && { notices }) }
    at = undefined
    notices = []
    await job.updateProgress(progress).catch(() => {})
  }
  const later = () => {
    timer ??= setTimeout(send, everyMs)
  }
  return {
    onProgress(done: number, total: number, note?: string) {
      at = note === undefined ? [done, total] : [done, total, hideCredentials(note)]
      later()
    },
    onNotice(text: string) {
      if (notices.length < mostNotices) notices.push(hideCredentials(text))
      later()
    },
    /** Sends the notices that wait. */
    async close() {
      at = undefined
      await send()
    },
  }
}
