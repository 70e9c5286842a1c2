/** Runs in a page: from then on the page's camera is the MJPEG file that its server has at /camera.mjpeg, at 30 pictures a second, in a loop. */
export function playAsCamera() {
  navigator.mediaDevices.getUserMedia = async () => {
    const pictures = split(new Uint8Array(await (await fetch('/camera.mjpeg')).arrayBuffer()));
    const canvas = document.createElement('canvas');
    const first = await createImageBitmap(pictures[0]);
    canvas.width = first.width;
    canvas.height = first.height;
    const context = canvas.getContext('2d');
    context.drawImage(first, 0, 0);
    const start = performance.now();
    let last = -1;
    setInterval(async () => {
      const due = Math.floor(((performance.now() - start) * 30) / 1000);
      if (due === last) return;
      last = due;
      context.drawImage(await createImageBitmap(pictures[due % pictures.length]), 0, 0);
    }, 5);
    return canvas.captureStream(30);
  };

  // A JPEG starts with FF D8 and ends with FF D9, which its entropy-coded data cannot hold.
  function split(file) {
    const pictures = [];
    for (let start = 0, i = 2; i + 1 < file.length; i++) {
      if (file[i] !== 0xff || file[i + 1] !== 0xd9) continue;
      pictures.push(new Blob([file.subarray(start, i + 2)], { type: 'image/jpeg' }));
      start = i + 2;
    }
    return pictures;
  }
}
