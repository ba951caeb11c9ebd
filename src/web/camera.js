// The camera and single frames of it. A frame lives in one canvas, which is cleared after each.

const WIDTH = { min: 640, ideal: 1280 };
const HEIGHT = { min: 480, ideal: 720 };
const JPEG_QUALITY = 0.92;

let stream = null;
const canvas = document.createElement('canvas');

export async function startCamera(video) {
  stopCamera(video);
  stream = await navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { facingMode: 'user', width: WIDTH, height: HEIGHT },
  });
  video.srcObject = stream;
  await video.play();
}

export function stopCamera(video) {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  video.srcObject = null;
  canvas.width = canvas.height = 0;
}

export function isRunning() {
  return stream?.getVideoTracks()[0]?.readyState === 'live';
}

export async function takeFrame(video) {
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d').drawImage(video, 0, 0);
  try {
    return await new Promise((done, fail) => {
      canvas.toBlob(blob => (blob ? done(blob) : fail(new Error('no frame'))), 'image/jpeg', JPEG_QUALITY);
    });
  } finally {
    canvas.width = canvas.height = 0;
  }
}
