// A false camera: a person who does what the page asks for. `frames` is a movement's word → its pictures from rest to
// done, base64; `behaviour` obeys, holds still, or does something else. Every frame has a camera's noise of its own.
window.falseCamera = (frames, behaviour) => {
  const [WIDTH, HEIGHT, SIDE] = [640, 480, 480];
  const SIGNS = { '←': 'turn_left', '→': 'turn_right', '↓': 'nod', '◡ ◡': 'blink', '○': 'open_mouth', '◡': 'smile' };
  const OTHER = { turn_left: 'turn_right', turn_right: 'turn_left', nod: 'open_mouth', blink: 'nod', open_mouth: 'nod', smile: 'nod' };
  const NOISE = 14;  // of each frame, grey levels; the picture's own is the same in all and is blurred away
  const GLOW = 45;  // of the screen's colour on the face, grey levels

  // Values of that noise, from which each row of each frame takes a stretch: a machine that does other things as well
  // could not draw a million of them ten times a second.
  const grains = Int8Array.from({ length: 1 << 20 }, () => Math.round((Math.random() + Math.random() - 1) * NOISE));
  const near = Float32Array.from({ length: WIDTH * HEIGHT }, (_, i) => Math.max(0,
    1 - Math.hypot((i % WIDTH - WIDTH / 2) / 170, (Math.floor(i / WIDTH) - HEIGHT / 2) / 230) ** 4));

  const decode = text => createImageBitmap(new Blob([Uint8Array.from(atob(text), c => c.charCodeAt(0))]));

  function asked() {
    const task = SIGNS[document.getElementById('sign')?.textContent];
    if (behaviour === 'still' || !task) return null;
    return behaviour === 'other' ? OTHER[task] : task;
  }

  function screen() {
    const light = document.getElementById('light');
    if (!light || light.hidden || behaviour === 'unlit') return [0, 0, 0];
    return getComputedStyle(light).backgroundColor.match(/\d+/g).slice(0, 3).map(Number);
  }

  navigator.mediaDevices.getUserMedia = async () => {
    window.cameras += 1;
    const pictures = {};
    for (const [word, list] of Object.entries(frames)) pictures[word] = await Promise.all(list.map(decode));
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [WIDTH, HEIGHT];
    const pen = canvas.getContext('2d', { willReadFrequently: true });
    pen.filter = 'blur(0.8px)';
    let [word, level] = [Object.keys(frames)[0], 0];
    const paint = () => {
      const wanted = asked();
      if (wanted === word) level = Math.min(level + 1, pictures[word].length - 1);
      else if (level > 0) level -= 1;
      else if (wanted) word = wanted;
      const [dx, dy] = behaviour === 'still' ? [0, 0] : [Math.random() * 2 - 1, Math.random() * 2 - 1];
      pen.drawImage(pictures[word][level], 0, 0, 8, 8, 0, 0, WIDTH, HEIGHT);  // a wall of the picture's own corner
      pen.drawImage(pictures[word][level], (WIDTH - SIDE) / 2 + dx, (HEIGHT - SIDE) / 2 + dy, SIDE, SIDE);
      const image = pen.getImageData(0, 0, WIDTH, HEIGHT);
      const light = screen().map(value => GLOW * value / 255);
      for (let y = 0, i = 0; y < HEIGHT; y += 1) {
        let grain = Math.floor(Math.random() * (grains.length - 3 * WIDTH));
        for (let x = 0; x < WIDTH; x += 1, i += 1)
          for (let c = 0; c < 3; c += 1, grain += 1) image.data[4 * i + c] += grains[grain] + near[i] * light[c];
      }
      pen.putImageData(image, 0, 0);
    };
    paint();
    const clock = setInterval(paint, 100);
    const stream = canvas.captureStream();
    const [track] = stream.getVideoTracks();
    Object.defineProperty(track, 'label', { value: 'Integrated Camera' });
    track.addEventListener('ended', () => clearInterval(clock));
    const stop = track.stop.bind(track);
    track.stop = () => { clearInterval(clock); stop(); };
    return stream;
  };
};
