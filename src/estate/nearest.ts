/** Further away than this part of the longer word, a suggestion confuses more than it helps. */
const DISTANCE_PART_MAX = 0.5;
const PREFIX_CHARS_MIN = 3;

/** The right word that a wrong one was most likely meant to be, if any is near. Case counts least. */
export function nearest(wrong: string, right: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  let bestLetters = Number.POSITIVE_INFINITY;
  for (const word of right) {
    const distance = distanceOf(wrong.toLowerCase(), word.toLowerCase());
    // Of two words that were gone on with, the one that was gone on with least.
    const letters = Math.abs(wrong.length - word.length);
    const isNearer = distance < bestDistance || (distance === bestDistance && letters < bestLetters);
    if (isNearer && distance <= Math.max(wrong.length, word.length) * DISTANCE_PART_MAX) {
      best = word;
      bestDistance = distance;
      bestLetters = letters;
    }
  }
  return best;
}

/** A word that was cut short or gone on with is as near as one wrong letter. */
function distanceOf(wrong: string, word: string): number {
  const isPart =
    Math.min(wrong.length, word.length) >= PREFIX_CHARS_MIN && (word.startsWith(wrong) || wrong.startsWith(word));
  return isPart && wrong !== word ? 1 : editDistance(wrong, word);
}

/** Insertions, deletions, changes and swaps of neighbours between two words (Levenshtein with swaps), row by row. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next.push(Math.min(changed, row[j]! + 1, next[j - 1]! + 1, swapped ? before[j - 2]! + 1 : changed));
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}
