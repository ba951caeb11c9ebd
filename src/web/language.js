// Words in the chosen language; English where a language lacks one.

export const speaker = languages => {
  let current = 'en';
  return {
    choose(name) { current = name; },
    language: () => current,
    word(key, values = {}) {
      const text = languages[current][key] ?? languages.en[key] ?? key;
      return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
    },
  };
};

// Of the browser's languages the first that there is.
export const preferred = () =>
  navigator.languages.find(name => /^(zh|en)/i.test(name))?.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
