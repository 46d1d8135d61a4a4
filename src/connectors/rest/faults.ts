/** What the system means by an answer, as the estate declares it. Pure. */
import type { Fault, HttpAnswer } from '../kit/index.ts';
import type { FaultRule } from './settings.ts';
import { isStatus, type Select, selectOf } from './values.ts';

/** The first rule that fits; undefined: the answer is what HTTP says. */
export function faultsOf(rules: readonly FaultRule[], at: string): (answer: HttpAnswer) => Fault | undefined {
  const compiled = rules.map((rule, index) => ({
    rule,
    where: rule.where === undefined ? undefined : selectOf(rule.where, `${at}.${index}.where`),
    message: rule.message === undefined ? undefined : selectOf(rule.message, `${at}.${index}.message`),
  }));
  return (answer) => {
    for (const { rule, where, message } of compiled) {
      if (rule.status !== undefined && !isStatus(answer.status, rule.status)) continue;
      if (where !== undefined && !isMeant(foundIn(where, answer.value), rule.is)) continue;
      const said = message === undefined ? undefined : foundIn(message, answer.value);
      return {
        class: rule.class,
        message: typeof said === 'string' && said !== '' ? said : 'as the estate declares such an answer',
        ...(rule.retryAfterMs !== undefined && { retryAfterMs: rule.retryAfterMs }),
      };
    }
    return undefined;
  };
}

/** An answer that an expression can't be asked of doesn't fit; what it is then, HTTP says. */
function foundIn(select: Select, value: unknown): unknown {
  try {
    return select(value);
  } catch {
    return undefined;
  }
}

function isMeant(found: unknown, meant: FaultRule['is']): boolean {
  if (meant !== undefined) return meant.some((one) => one === found);
  if (found === undefined || found === null || found === false || found === '') return false;
  return !(Array.isArray(found) && found.length === 0);
}
