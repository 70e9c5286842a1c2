// node-datachannel (libdatachannel) publishes a file over WHIP.
import process from 'node:process';
import { PeerConnection, Video } from 'node-datachannel';
import { encode } from './rtp_source.mjs';

const { CAMERA, WHIP_URL, TOKEN, CODEC = 'VP8' } = process.env;
const ssrc = 4711;

const pc = new PeerConnection('liveproof', { iceServers: [], disableAutoNegotiation: true });
const gathered = new Promise((done) => pc.onGatheringStateChange((state) => state === 'complete' && done()));
const video = new Video('video', 'SendOnly');
if (CODEC === 'VP8') video.addVP8Codec(96);
else video.addH264Codec(96);
video.addSSRC(ssrc, 'video');
const track = pc.addTrack(video);
const opened = new Promise((done) => track.onOpen(done));
pc.setLocalDescription('offer');
await gathered;

const answer = await fetch(WHIP_URL, {
  method: 'POST',
  headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${TOKEN}` },
  body: pc.localDescription().sdp,
});
if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
pc.setRemoteDescription(await answer.text(), 'answer');
await opened;

await encode(CAMERA, CODEC, { payloadType: 96, ssrc }, (packet) => track.isOpen() && track.sendMessageBinary(packet));
pc.close();
