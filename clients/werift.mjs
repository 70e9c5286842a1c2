// werift publishes a file over WHIP.
import process from 'node:process';
import { MediaStreamTrack, RTCPeerConnection, useH264, useVP8 } from 'werift';
import { encode } from './rtp_source.mjs';

const { CAMERA, WHIP_URL, TOKEN, CODEC = 'VP8' } = process.env;
const codec = (CODEC === 'VP8' ? useVP8 : useH264)({ payloadType: 96 });

const pc = new RTCPeerConnection({ iceServers: [], codecs: { video: [codec] } });
const track = new MediaStreamTrack({ kind: 'video' });
pc.addTransceiver(track, { direction: 'sendonly' });
await pc.setLocalDescription(await pc.createOffer()); // gathers all candidates

const answer = await fetch(WHIP_URL, {
  method: 'POST',
  headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${TOKEN}` },
  body: pc.localDescription.sdp,
});
if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
while (pc.connectionState !== 'connected') await pc.connectionStateChange.asPromise(10_000);

await encode(CAMERA, CODEC, { payloadType: 96, ssrc: 1 }, (packet) => track.writeRtp(packet)); // writeRtp puts its own SSRC
await pc.close();
