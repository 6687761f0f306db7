"""The two pages of the browser tests: one publishes a fake camera and microphone, one watches."""

PAGE = """<!doctype html><meta charset="utf-8"><title>media</title>
<video id="v" autoplay playsinline muted></video>
<script>
const post = async (pc, path, token) => {
  await pc.setLocalDescription(await pc.createOffer())
  const headers = { Authorization: 'Bearer ' + token, 'Content-Type': 'application/sdp' }
  const answer = await fetch(path, { method: 'POST', headers, body: pc.localDescription.sdp })
  if (answer.status !== 201) throw new Error(answer.status + ' ' + await answer.text())
  window.resource = { url: answer.headers.get('Location'), headers }
  const blocked = line => window.udpBlocked && / udp /i.test(line) && line.startsWith('a=candidate')
  const sdp = (await answer.text()).split('\\r\\n').filter(line => !blocked(line)).join('\\r\\n')
  await pc.setRemoteDescription({ type: 'answer', sdp })
}
const only = (transceiver, mime) => {
  const codecs = RTCRtpReceiver.getCapabilities('video').codecs
  transceiver.setCodecPreferences(codecs.filter(c => c.mimeType === mime || c.mimeType === 'video/rtx'))
}
const clock = () => {  // a picture that says when it was drawn: 24 squares of Date.now()
  const canvas = document.createElement('canvas')
  canvas.width = 640; canvas.height = 360
  const pen = canvas.getContext('2d')
  setInterval(() => {
    const now = Date.now() % (1 << 24)
    pen.fillStyle = '#444'; pen.fillRect(0, 0, 640, 360)
    for (let bit = 0; bit < 24; bit++) {
      pen.fillStyle = now >> bit & 1 ? '#fff' : '#000'
      pen.fillRect((bit % 8) * 80, Math.floor(bit / 8) * 120, 80, 120)
    }
  }, 33)
  return canvas.captureStream(30).getVideoTracks()[0]
}
window.publish = async (path, token, options = {}) => {
  const { mime = 'video/H264', kinds = ['audio', 'video'], canvas = false, slots = false } = options
  const stream = await navigator.mediaDevices.getUserMedia(
    { audio: kinds.includes('audio'), video: kinds.includes('video') && { width: 1280, height: 720, frameRate: 30 } })
  const pc = window.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
  for (const track of stream.getTracks()) {
    const sent = canvas && track.kind === 'video' ? clock() : track
    const transceiver = pc.addTransceiver(sent, { direction: 'sendonly', streams: [stream] })
    if (track.kind === 'video') only(transceiver, mime)
  }
  const small = { maxBitrate: 350000, scaleResolutionDownBy: 2 }
  for (const sendEncodings of slots ? [[small], [{ maxBitrate: 1500000 }]] : []) {
    const sent = sendEncodings[0] === small ? stream.getVideoTracks()[0].clone() : 'video'
    const transceiver = pc.addTransceiver(sent, { direction: 'sendonly', sendEncodings })
    only(transceiver, mime)
    window.last = transceiver.sender
  }
  await post(pc, path, token)
}
window.share = async () => await window.last.replaceTrack(clock())
window.unshare = async () => await window.last.replaceTrack(null)
window.watch = async (path, token, kinds = ['audio', 'video']) => {
  const pc = window.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
  for (const kind of kinds) pc.addTransceiver(kind, { direction: 'recvonly' })
  const stream = new MediaStream()
  pc.ontrack = event => stream.addTrack(event.track)
  const video = document.getElementById('v')
  video.srcObject = stream
  const started = performance.now()
  const first = new Promise(done => video.requestVideoFrameCallback(() => done(performance.now() - started)))
  await post(pc, path, token)
  video.play()
  return await first
}
window.delay = () => {  // milliseconds since the shown picture was drawn
  const video = document.getElementById('v'), canvas = document.createElement('canvas')
  canvas.width = 640; canvas.height = 360
  const pen = canvas.getContext('2d')
  pen.drawImage(video, 0, 0, 640, 360)
  let drawn = 0
  for (let bit = 0; bit < 24; bit++) {
    const at = pen.getImageData((bit % 8) * 80 + 40, Math.floor(bit / 8) * 120 + 60, 1, 1).data
    if (at[0] > 128) drawn |= 1 << bit
  }
  return (Date.now() % (1 << 24)) - drawn
}
window.received = async () => {
  const found = {}
  for (const entry of (await window.pc.getStats()).values())
    if (entry.type === 'inbound-rtp') found[entry.kind] = {
      frames: entry.framesDecoded, packets: entry.packetsReceived, lost: entry.packetsLost, width: entry.frameWidth,
      freezes: entry.freezeCount, frozen: entry.totalFreezesDuration, energy: entry.totalAudioEnergy,
      pli: entry.pliCount, nack: entry.nackCount,
      jitter: entry.jitterBufferDelay / entry.jitterBufferEmittedCount }
  return found
}
window.places = async () => {  // per section: pictures so far, their width, packets lost
  const found = {}
  for (const entry of (await window.pc.getStats()).values())
    if (entry.type === 'inbound-rtp') found[entry.mid] = {
      frames: entry.framesDecoded ?? 0, width: entry.frameWidth ?? 0, lost: entry.packetsLost }
  return found
}
window.sent = async () => {
  const found = {}
  for (const entry of (await window.pc.getStats()).values()) {
    if (entry.type === 'outbound-rtp') found[entry.kind] = { frames: entry.framesEncoded, width: entry.frameWidth,
      target: entry.targetBitrate, pli: entry.pliCount, nack: entry.nackCount, encoder: entry.encoderImplementation }
    if (entry.type === 'candidate-pair' && entry.nominated) found.available = entry.availableOutgoingBitrate
  }
  return found
}
window.way = async () => {  // how the connection in use runs: udp or tcp
  const stats = await window.pc.getStats()
  for (const entry of stats.values())
    if (entry.type === 'candidate-pair' && entry.nominated && entry.state === 'succeeded')
      return stats.get(entry.remoteCandidateId).protocol
}
window.leave = async () => fetch(window.resource.url, { method: 'DELETE', headers: window.resource.headers })
</script>"""

#: what a page runs first to be in a browser whose WebRTC has everything but H.264
WITHOUT_H264 = """
const had = RTCRtpReceiver.getCapabilities.bind(RTCRtpReceiver)
RTCRtpReceiver.getCapabilities = kind => {
  const found = had(kind)
  return { ...found, codecs: found.codecs.filter(codec => codec.mimeType !== 'video/H264') }
}"""


def through(port: int) -> str:
    """What a page runs first to have its media through a relay at this port; its connection is `pc`."""
    return f"""
window.RTCPeerConnection = class extends RTCPeerConnection {{
  constructor(...all) {{ super(...all); window.pc = this }}
  setRemoteDescription(answer) {{
    const sdp = answer.sdp.replace(/^(a=candidate:\\S+ 1 udp \\d+ \\S+) \\d+/gm, '$1 {port}')
    return super.setRemoteDescription({{ type: answer.type, sdp }})
  }}
}}"""
