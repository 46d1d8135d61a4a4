/** Which of the names that a system holds are the hub's own: those of another hub end otherwise. */

export interface OwnReferences {
  isFulfilment(reference: string): boolean;
  isReturn(reference: string): boolean;
}

/** @param ending of the hub's references, as in {@link ConnectorContext} */
export function ownReferences(ending = ''): OwnReferences {
  const isOwn = (kind: 'F' | 'R') => (reference: string) =>
    reference.startsWith(kind) &&
    reference.endsWith(ending) &&
    /^\d+$/.test(reference.slice(kind.length, reference.length - ending.length));
  return { isFulfilment: isOwn('F'), isReturn: isOwn('R') };
}
