// Lets FFmpeg encode a file and send it as RTP to a free UDP port; hands out every packet. Node has no encoder of its own.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import process from 'node:process';

// One thread for libvpx: its threads wait for each other by spinning, which costs ten times the CPU time on a busy machine.
const { BITRATE = '1500' } = process.env; // kbit/s
const encoders = {
  VP8: '-c:v libvpx -threads 1 -deadline realtime -cpu-used 8',
  H264: '-c:v libx264 -profile:v baseline -preset veryfast -tune zerolatency',
};

/** Calls onPacket for every RTP packet until the file ends; the result resolves then. */
export async function encode(file, codec, { payloadType, ssrc }, onPacket) {
  const socket = createSocket('udp4');
  socket.on('message', onPacket);
  await new Promise((done) => socket.bind(0, '127.0.0.1', done));
  const to = `rtp://127.0.0.1:${socket.address().port}?pkt_size=1200`;
  const output = `-an -pix_fmt yuv420p ${encoders[codec]} -b:v ${BITRATE}k -g 60 -f rtp -payload_type ${payloadType} -ssrc ${ssrc}`;
  const ffmpeg = spawn('ffmpeg', ['-v', 'error', '-re', '-i', file, ...output.split(' '), to], { stdio: ['ignore', 'ignore', 'inherit'] });
  process.once('SIGTERM', () => ffmpeg.kill());
  await new Promise((done) => ffmpeg.once('exit', done));
  socket.close();
}
