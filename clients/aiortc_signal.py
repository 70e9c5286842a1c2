"""aiortc publishes a file over the WebSocket signalling, which also tells what the person should change and how the check ends."""

import asyncio
import json
import os

import aiohttp
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.codecs import h264, vpx
from aiortc.contrib.media import MediaPlayer

if "BITRATE" in os.environ:  # kbit/s, until the receiver estimates another one
    vpx.DEFAULT_BITRATE = h264.DEFAULT_BITRATE = int(os.environ["BITRATE"]) * 1000


async def publish(file: str, signal_url: str, token: str, codec: str) -> None:
    pc = RTCPeerConnection()
    video = pc.addTransceiver(MediaPlayer(file).video, direction="sendonly")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    video.setCodecPreferences([c for c in codecs if c.mimeType == f"video/{codec}"])
    await pc.setLocalDescription(await pc.createOffer())  # gathers all candidates

    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.ws_connect(signal_url, protocols=["liveproof.v1"]) as signalling:
        await signalling.send_json({"type": "offer", "sdp": pc.localDescription.sdp})
        await signalling.send_json({"type": "candidate", "candidate": None})
        async for message in signalling:
            told = json.loads(message.data)
            print(json.dumps(told), flush=True)
            if told["type"] == "answer":
                await pc.setRemoteDescription(RTCSessionDescription(told["sdp"], "answer"))
            if told["type"] in ("decided", "error"):
                break
    await pc.close()


asyncio.run(publish(os.environ["CAMERA"], os.environ["SIGNAL_URL"], os.environ["TOKEN"], os.environ.get("CODEC", "VP8")))
