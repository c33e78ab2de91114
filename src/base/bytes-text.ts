const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** A number of bytes as people say it, in powers of a thousand: "812 bytes", "1.3 GB". */
export function bytesText(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  return `${power === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[power]}`
}
