"""Decides how generated people are seen and heard: published by WHIP (RFC 9725), as any browser does."""

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from server.demo.page import Answer, Login
from server.demo.tracks import Figure, Voice


async def publish(login: Login, media: Answer, voice: Voice, figure: Figure) -> RTCPeerConnection:
    """Offer, post, apply the answer. Raises RuntimeError with the server's refusal."""
    camera = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        camera.addTransceiver(voice, direction="sendonly")
        camera.addTransceiver(figure, direction="sendonly")
        await camera.setLocalDescription(await camera.createOffer())
        headers = {"Authorization": f"Bearer {media['token']}", "Content-Type": "application/sdp"}
        offer = camera.localDescription.sdp
        async with login.http.post(f"{login.url}{media['whip']}", data=offer, headers=headers) as response:
            answer = await response.text()
            if response.status != 201:
                raise RuntimeError(f"WHIP {response.status} {answer}")
        await camera.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    except BaseException:
        await camera.close()
        raise
    return camera
