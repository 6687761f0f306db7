/** Camera and microphone of the instructor: asking for them, naming what failed, and how loud the voice is. */
export interface Choice { camera: string | null; microphone: string | null }

/** Why there is no picture or voice, in codes the catalogue has words for. */
export type CaptureFault = 'insecure' | 'denied' | 'none' | 'busy' | 'unsuitable' | 'unknown'

export function faultOf(fault: unknown): CaptureFault {
  const name = fault instanceof Error ? fault.name : ''
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'denied'
    case 'NotFoundError':
      return 'none'
    case 'NotReadableError':
    case 'AbortError':
      return 'busy'
    case 'OverconstrainedError':
      return 'unsuitable'
    default:
      return 'unknown'
  }
}

export async function capture(choice: Choice): Promise<MediaStream> {
  const exactly = (id: string | null) => (id ? { deviceId: { exact: id } } : {})
  return await navigator.mediaDevices.getUserMedia({
    video: { ...exactly(choice.camera), width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } },
    audio: { ...exactly(choice.microphone), echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  })
}

/** For the stage: a small picture, or the voice alone. */
export async function captureSmall(picture: boolean): Promise<MediaStream> {
  return await navigator.mediaDevices.getUserMedia({
    video: picture && { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 24, max: 30 }, facingMode: 'user' },
    audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  })
}

export async function devices(kind: 'videoinput' | 'audioinput'): Promise<{ id: string; label: string }[]> {
  const all = await navigator.mediaDevices.enumerateDevices()
  return all.filter((d) => d.kind === kind && d.deviceId).map((d) => ({ id: d.deviceId, label: d.label }))
}

export function release(stream: MediaStream | null): void {
  stream?.getTracks().forEach((track) => { track.stop() })
}

const QUIETEST_DB = -60

/** Loudness of samples in [-1, 1] as a part of the meter, 0 to 1 over 60 dB. */
export function loudness(samples: Float32Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  const rms = Math.sqrt(sum / Math.max(1, samples.length))
  if (rms <= 0) return 0
  return Math.min(1, Math.max(0, 1 - (20 * Math.log10(rms)) / QUIETEST_DB))
}

/** Measures a stream's voice until stopped. */
export function meter(stream: MediaStream, heard: (level: number) => void): () => void {
  const context = new AudioContext()
  const analyser = context.createAnalyser()
  analyser.fftSize = 1024
  context.createMediaStreamSource(stream).connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples)
    heard(loudness(samples))
  }, 80)
  return () => {
    clearInterval(timer)
    void context.close()
  }
}
