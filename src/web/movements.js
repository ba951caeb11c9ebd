// Follows a person through the movements that the session asks for. How far each is done is measured by the daemon
// (extents: from 1 above the person's rest it counts); whether it was the person is judged there too, at the end.

const DONE = 1.2;  // past what counts, so that the judge sees it as well
const BACK = 0.5;
const SLIGHT = 1.3;  // of what nobody asked for: with more, the others would have to be done too plainly
const SHARE = 0.75;  // of the slightest that was asked for, as the judge has it
const HEAD = ['turn_left', 'turn_right', 'nod'];
const SPOILING = [...HEAD, 'open_mouth'];  // what nobody does by chance; blinking and smiling are

const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

export class Movements {
  #words;
  #rest = {};
  #at = 0;
  #returning = false;
  #least = Infinity;  // how far the slightest of those that were asked for was done
  #slip = null;       // the one movement that nobody asked for: { word, reach, over }

  // `rests`: extents of frames in which the person looked into the camera.
  constructor(words, rests) {
    this.#words = words;
    for (const word of [...SPOILING, ...words]) this.#rest[word] = median(rests.map(extents => extents[word]));
  }

  get done() { return this.#at; }
  get over() { return this.#at === this.#words.length && !this.#returning; }
  // What to tell the person now.
  get task() { return this.#returning || this.over ? 'return' : this.#words[this.#at]; }

  // As the judge has it: one, of a kind that is nowhere in the list, and much slighter than all that are.
  #forgives(word, reach) {
    if (this.#words.includes(word) || (this.#slip && (this.#slip.over || this.#slip.word !== word))) return false;
    this.#slip = { word, reach: Math.max(reach, this.#slip?.reach ?? 0), over: false };
    return this.#slip.reach < Math.min(SLIGHT, SHARE * this.#least);
  }

  // What the frame shows: 'rest', 'moving', 'done' (the movement, from now on it counts). Null: a movement that nobody
  // asked for, so that all begins again.
  see(extents) {
    const reach = word => extents[word] - this.#rest[word];
    const asked = this.#words[this.#at];
    const last = this.#words[this.#at - 1];
    const others = SPOILING.filter(word => word !== asked && word !== last && reach(word) > 1);
    if (!others.every(word => this.#forgives(word, reach(word)))) return null;
    if (this.#slip && reach(this.#slip.word) < BACK) this.#slip.over = true;
    if (others.length > 0) return 'moving';
    if (this.#returning) {
      this.#returning = reach(last) > BACK;
      return this.#returning ? 'moving' : 'rest';
    }
    if (this.over) return 'rest';
    // Lids are lowered and lips drawn in a head that turns: the judge would not count that.
    const still = HEAD.includes(asked) || HEAD.every(word => reach(word) < 0.9);
    if (reach(asked) > Math.max(DONE, 1.1 * (this.#slip?.reach ?? 0) / SHARE) && still) {
      this.#least = Math.min(this.#least, reach(asked));
      this.#at += 1;
      this.#returning = true;
      return 'done';
    }
    return reach(asked) > BACK ? 'moving' : 'rest';
  }
}
