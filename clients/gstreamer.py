"""GStreamer's webrtcbin publishes a file over WHIP. Needs gst-plugins-bad, libnice's plug-in and Python's GObject bindings."""

import os
import urllib.parse
import urllib.request

import gi

gi.require_versions({"Gst": "1.0", "GstWebRTC": "1.0", "GstSdp": "1.0"})
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 (the versions are chosen first)

ENCODERS = {
    "VP8": "vp8enc deadline=1 cpu-used=8 target-bitrate={bitrate}000 keyframe-max-dist=60 ! rtpvp8pay picture-id-mode=15-bit",
    "H264": "x264enc tune=zerolatency speed-preset=veryfast bitrate={bitrate} key-int-max=60 ! video/x-h264,profile=baseline"
    " ! rtph264pay aggregate-mode=zero-latency config-interval=-1",
}
PAYLOAD = 96
BITRATE = os.environ.get("BITRATE", "1500")  # kbit/s


def publish(file: str, whip_url: str, token: str, codec: str) -> None:
    Gst.init(None)
    pipeline = Gst.parse_launch(
        f"filesrc name=file ! matroskademux ! jpegdec ! videoconvert ! clocksync ! queue ! {ENCODERS[codec].format(bitrate=BITRATE)} pt={PAYLOAD}"
        f" ! application/x-rtp,media=video,encoding-name={codec},payload={PAYLOAD} ! webrtcbin name=peer bundle-policy=max-bundle"
    )
    pipeline.get_by_name("file").set_property("location", file)
    loop, peer = GLib.MainLoop(), pipeline.get_by_name("peer")
    peer.connect("on-negotiation-needed", lambda _: peer.emit("create-offer", None, Gst.Promise.new_with_change_func(offered, peer)))
    peer.connect("notify::ice-gathering-state", lambda *_: gathered(peer, whip_url, token))
    pipeline.bus.add_signal_watch()
    pipeline.bus.connect("message::error", lambda _, message: (print(message.parse_error()), loop.quit()))
    pipeline.bus.connect("message::eos", lambda *_: loop.quit())
    pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    pipeline.set_state(Gst.State.NULL)


def offered(promise: Gst.Promise, peer: Gst.Element) -> None:
    reply = promise.get_reply()  # owns the offer
    peer.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())


def gathered(peer: Gst.Element, whip_url: str, token: str) -> None:
    if peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
        offer = peer.get_property("local-description").sdp.as_text()
        answer = GstSdp.SDPMessage.new_from_text(post(whip_url, token, offer))[1]
        peer.emit("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, answer), Gst.Promise.new())


def post(whip_url: str, token: str, offer: str) -> str:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    with urllib.request.urlopen(urllib.request.Request(whip_url, offer.encode(), headers), timeout=10) as answer:
        return answer.read().decode()


publish(os.environ["CAMERA"], os.environ["WHIP_URL"], os.environ["TOKEN"], os.environ.get("CODEC", "VP8"))
