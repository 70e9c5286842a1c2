import { WHIPClient } from 'whip-whep/whip.js';

const { whip_url, client_token } = await (await fetch('/session', { method: 'POST' })).json();
const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
pc.addTransceiver(stream.getVideoTracks()[0], {
  direction: 'sendonly',
  sendEncodings: [{ rid: 'q', scaleResolutionDownBy: 4 }, { rid: 'h', scaleResolutionDownBy: 2 }, { rid: 'f' }],
});
await new WHIPClient().publish(pc, whip_url, client_token);
