// What is wrong with the capture page as it is on the screen, a line a fault. An expression: a function of "is it dark?".
dark => {
  const faults = [];
  const channels = color => (color.match(/[\d.]+/g) ?? []).map(Number);
  const light = color => {
    const [r, g, b] = channels(color).slice(0, 3).map(v => v / 255)
      .map(v => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paperOf = element => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((channels(color)[3] ?? 1) === 1) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  if (document.documentElement.scrollWidth > innerWidth) faults.push('the page is wider than its window');
  if ((light(getComputedStyle(document.body).backgroundColor) < 0.2) !== dark) faults.push('not the colours that were asked for');
  const seen = element => element.getClientRects().length > 0;
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (!own || !seen(element)) continue;
    const [ink, paper] = [light(getComputedStyle(element).color), light(paperOf(element))];
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    // WCAG 2.2, 1.4.3
    if (contrast < 4.5) faults.push(`contrast ${contrast.toFixed(1)} of ${element.tagName} "${element.textContent.trim()}"`);
    // What the database holds is shown as it is.
    if (!element.closest('td, option') && /^[a-z]+(-[a-z0-9]+)+$/.test(element.textContent.trim())) faults.push(`a key and no words: ${element.textContent}`);
  }
  for (const heading of document.querySelectorAll('th')) {
    if (!seen(heading)) continue;
    const text = document.createRange();
    text.selectNodeContents(heading);
    // Chinese may be broken anywhere, and a narrow column of figures breaks it at every character.
    if (text.getClientRects().length > 1) faults.push(`a broken heading: ${heading.textContent}`);
    // The policy's tables are told as the database has them.
    if (!heading.closest('#policy') && heading.textContent.includes('_')) faults.push(`a column and no words: ${heading.textContent}`);
  }
  for (const element of document.querySelectorAll('button, summary, label:has(input)')) {
    if (!seen(element)) continue;
    const box = element.getBoundingClientRect();
    // WCAG 2.2, 2.5.8
    if (box.width < 24 || box.height < 24) faults.push(`${element.id || element.tagName} is too small to hit`);
  }
  return faults;
}
