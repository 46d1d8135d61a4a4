import { userInfo } from 'node:os';

/** The name of the person who runs the command, as far as the machine knows it. */
export function whoAmI(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}
