// A quality check over its picture: region, points, the head's axes. Lives in one canvas, which is cleared.

const COLOURS = { region: '#00a0ff', point: '#dcdc00', axes: ['#ff4040', '#40d040', '#4080ff'] };

export async function draw(canvas, file, { image, face, marks }) {
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
  canvas.width = image.width;
  canvas.height = image.height;
  const pen = canvas.getContext('2d');
  pen.drawImage(bitmap, 0, 0, image.width, image.height);
  bitmap.close();
  const thick = Math.max(1, image.height / 300);
  pen.lineWidth = thick * 1.5;
  pen.strokeStyle = COLOURS.region;
  pen.strokeRect(face.x, face.y, face.width, face.height);
  pen.fillStyle = COLOURS.point;
  for (const [x, y] of marks.points) pen.fillRect(x - thick / 2, y - thick / 2, thick, thick);
  marks.axes.forEach(([x, y], i) => {
    pen.strokeStyle = COLOURS.axes[i];
    pen.beginPath();
    pen.moveTo(...marks.origin);
    pen.lineTo(x, y);
    pen.stroke();
  });
  canvas.hidden = false;
}

export function clear(canvas) {
  canvas.width = canvas.height = 0;
  canvas.hidden = true;
}
