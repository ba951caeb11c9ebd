// What is on the screen: one section at a time, every word again when the language changes.

import { preferred } from './language.js';
import { chooseLanguage, language, word } from './words.js';

let told = [];  // how to say again, in another language, what is on the screen now

export const part = id => document.getElementById(id);

export function say(id, key, values) {
  told = told.filter(entry => entry.id !== id);
  told.push({ id, key, values });
  const text = key ? [key].flat().map(one => word(one, values)).join(language() === 'en' ? ' ' : '') : '';
  if (part(id).textContent !== text) part(id).textContent = text;
}

function translate(fill) {
  document.documentElement.lang = language();
  for (const element of document.querySelectorAll('[data-word]')) element.textContent = word(element.dataset.word);
  part('language').textContent = language() === 'en' ? '中文' : 'English';
  part('language').lang = language() === 'en' ? 'zh-CN' : 'en';
  for (const { id, key, values } of [...told]) say(id, key, values);
  fill();
}

// `fill` writes what is not a single word, such as the notice.
export function speak(fill) {
  chooseLanguage(preferred());
  translate(fill);
  part('language').onclick = () => {
    chooseLanguage(language() === 'en' ? 'zh-CN' : 'en');
    translate(fill);
  };
}

export function show(id) {
  for (const section of document.querySelectorAll('main > section')) section.hidden = section.id !== id;
  part(id).querySelector('h1').focus();
}

export function showEnd(kind, title, words, again) {
  part('end').className = kind;
  part('end-sign').textContent = { good: '✓', bad: '✕' }[kind] ?? '–';
  say('end-title', title);
  say('end-words', words);
  part('again').hidden = again === null;
  part('again').onclick = again;
  show('end');
}
