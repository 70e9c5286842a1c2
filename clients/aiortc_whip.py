"""aiortc publishes a file over WHIP."""

import asyncio
import os

import aiohttp
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer


async def publish(file: str, whip_url: str, token: str, codec: str) -> None:
    pc = RTCPeerConnection()
    video = pc.addTransceiver(MediaPlayer(file).video, direction="sendonly")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    video.setCodecPreferences([c for c in codecs if c.mimeType == f"video/{codec}"])
    await pc.setLocalDescription(await pc.createOffer())  # gathers all candidates

    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.post(whip_url, data=pc.localDescription.sdp) as answer:
            answer.raise_for_status()
            await pc.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))
            resource = answer.url.join(aiohttp.client.URL(answer.headers["Location"]))
        try:
            await asyncio.sleep(20)  # the session ends with its verdict
        finally:
            await http.delete(resource)
            await pc.close()


asyncio.run(publish(os.environ["CAMERA"], os.environ["WHIP_URL"], os.environ["TOKEN"], os.environ.get("CODEC", "VP8")))
