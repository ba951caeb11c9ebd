// Runs in a copy of the report's page, for report.py: writes what is wrong with the layout into the page, a line a fault.
(() => {
  const faults = [];
  const charts = document.querySelectorAll('svg[role=img]');
  if (document.documentElement.scrollWidth > innerWidth) faults.push('the page is wider than its window');
  for (const chart of charts) {
    const boxes = [...chart.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()]);
    boxes.forEach(([name, box], i) => {
      if (box.left < 0 || box.right > innerWidth) faults.push(`"${name}" is cut off`);
      for (const [other, its] of boxes.slice(i + 1)) {
        const wide = Math.min(box.right, its.right) - Math.max(box.left, its.left);
        const high = Math.min(box.bottom, its.bottom) - Math.max(box.top, its.top);
        if (wide > 0.5 && high > 2) faults.push(`"${name}" runs into "${other}"`);
      }
    });
    if (!chart.querySelector('rect, circle')) faults.push('an empty chart');
  }
  // WCAG 2.2, 1.4.3: text against the paper, at least 4.5 to 1.
  const light = color => {
    const [r, g, b] = color.match(/[\d.]+/g).slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  for (const element of document.querySelectorAll('h1, p, td, th, code, li b, figcaption, svg text')) {
    const style = getComputedStyle(element);
    const ink = light(element.tagName === 'text' ? style.fill : style.color);
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (contrast < 4.5) faults.push(`contrast ${contrast.toFixed(1)} of ${element.tagName} "${element.textContent}"`);
  }
  const told = document.createElement('pre');
  told.id = 'told';
  told.textContent = JSON.stringify({ charts: charts.length, dark: paper < 0.2, faults: [...new Set(faults)].slice(0, 10) });
  document.body.append(told);
})();
