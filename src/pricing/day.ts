/** Which day it is somewhere. Prices hold for whole days of their company. */

const formats = new Map<string, Intl.DateTimeFormat>();

/** The day of a moment in a time zone, YYYY-MM-DD: midnight begins a day wherever the clocks stand, also on the days on which they change. */
export function dayIn(timeZone: string, moment: Date | string): string {
  let format = formats.get(timeZone);
  if (format === undefined) {
    // Swedish writes days as ISO does.
    format = new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    formats.set(timeZone, format);
  }
  return format.format(typeof moment === 'string' ? new Date(moment) : moment);
}
