import { describe, expect, it } from 'vitest';
import { keyframes, parseChallenge, type LightChallenge } from './challenge';

const good = {
  id: '0af7651916cd43dd8448eb211c80319c',
  kind: 'flash',
  attempt: 2,
  begins_in: 0.9,
  duration: 3.2,
  colours: [
    { at: 0, colour: '#9b9b9b' },
    { at: 0.8, colour: '#ff6e6e' },
    { at: 3.2, colour: '#9b9b9b' },
  ],
};

describe('a challenge by light', () => {
  it('begins when the message says', () => {
    expect(parseChallenge(good, 5000)).toMatchObject({ kind: 'flash', attempt: 2, begins: 5900, duration: 3200 });
  });

  it('is an animation', () => {
    expect(keyframes(parseChallenge(good, 0) as LightChallenge)).toEqual([
      { offset: 0, backgroundColor: '#9b9b9b' },
      { offset: 0.25, backgroundColor: '#ff6e6e' },
      { offset: 1, backgroundColor: '#9b9b9b' },
    ]);
  });

  it('of another kind is not known', () => {
    expect(parseChallenge({ id: 'x', kind: 'dance' }, 0)).toBeNull();
  });

  const bad: Record<string, unknown> = {
    nothing: null,
    'no id': { ...good, id: 7 },
    'no end': { ...good, duration: Infinity },
    'too long': { ...good, duration: 61 },
    'never begins': { ...good, begins_in: 1e9 },
    'no colours': { ...good, colours: [] },
    'too many colours': { ...good, colours: Array.from({ length: 257 }, () => good.colours[0]) },
    'times that fall': { ...good, colours: [...good.colours, good.colours[0]] },
    'a colour after the end': { ...good, colours: [good.colours[0], { at: 3.3, colour: '#9b9b9b' }] },
    'a colour that is none': { ...good, colours: [good.colours[0], { at: 1, colour: 'url(https://example.org)' }] },
    'a colour that is null': { ...good, colours: [good.colours[0], null] },
  };
  for (const [name, value] of Object.entries(bad)) {
    it(`with ${name} is refused`, () => expect(() => parseChallenge(value, 0)).toThrow(TypeError));
  }
});

describe('a challenge by movement', () => {
  const turn = {
    id: '0af7651916cd43dd8448eb211c80319c',
    kind: 'turn',
    attempt: 1,
    begins_in: 0.8,
    duration: 3.4,
    steps: [
      { at: 0, movement: 'left' },
      { at: 1.7, movement: 'nod' },
    ],
  };

  it('has steps', () => {
    expect(parseChallenge(turn, 1000)).toEqual({
      id: turn.id,
      kind: 'turn',
      attempt: 1,
      begins: 1800,
      duration: 3400,
      steps: turn.steps,
    });
  });

  it('with a movement of a newer server is not known', () => {
    expect(parseChallenge({ ...turn, steps: [{ at: 0, movement: 'wink' }] }, 0)).toBeNull();
  });

  const bad: Record<string, unknown> = {
    'no steps': { ...turn, steps: [] },
    'no list': { ...turn, steps: 'left' },
    'too many steps': { ...turn, steps: Array.from({ length: 17 }, () => turn.steps[0]) },
    'times that fall': { ...turn, steps: [turn.steps[1], turn.steps[0]] },
    'a step after the end': { ...turn, steps: [{ at: 3.5, movement: 'left' }] },
    'a step that is none': { ...turn, steps: [{ at: 0, movement: 7 }] },
    'a step that is null': { ...turn, steps: [null] },
    'colours only': { ...good, kind: 'turn' },
  };
  for (const [name, value] of Object.entries(bad)) {
    it(`with ${name} is refused`, () => expect(() => parseChallenge(value, 0)).toThrow(TypeError));
  }
});
