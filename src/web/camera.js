// The camera and single frames of it. A frame lives in one canvas, which is cleared after each.

const WIDTH = { min: 640, ideal: 1280 };
const HEIGHT = { min: 480, ideal: 720 };
const JPEG_QUALITY = 0.92;
const LONGEST_SIDE = 960;  // px of a frame among many
const FRAME_MS = 500;      // a camera that gives nothing new for so long is read all the same

let stream = null;
let last = 0;  // time of the frame before
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

export const cameraLabel = () => stream?.getVideoTracks()[0]?.label ?? '';

// When the next frame was captured, or came. The same frame twice would look like a still picture.
function nextFrame(video) {
  if (!video.requestVideoFrameCallback) return new Promise(done => { requestAnimationFrame(done); });
  return new Promise(done => {
    const asked = video.requestVideoFrameCallback((now, about) => {
      clearTimeout(late);
      done(about.captureTime ?? now);
    });
    const late = setTimeout(() => {
      video.cancelVideoFrameCallback(asked);
      done(performance.now());
    }, FRAME_MS);
  });
}

// { picture: JPEG, time: ms, growing }. `small` where many are sent at once.
export async function takeFrame(video, small = false) {
  const time = last = Math.max(await nextFrame(video), last + 5);
  const side = Math.max(video.videoWidth, video.videoHeight);
  const scale = small ? Math.min(1, LONGEST_SIDE / side) : 1;
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
  try {
    const picture = await new Promise((done, fail) => {
      canvas.toBlob(blob => (blob ? done(blob) : fail(new Error('no frame'))), 'image/jpeg', JPEG_QUALITY);
    });
    return { picture, time };
  } finally {
    canvas.width = canvas.height = 0;
  }
}
