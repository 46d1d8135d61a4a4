/**
 * A value that many ask for and that costs a query: loaded at most once per `msMin`, and never more than a twentieth of the
 * time, so that a page which is open all day stays cheap when the tables have grown.
 */
const SHARE_OF_TIME = 20;

/** @param nowMs a clock that never goes back */
export function remembered<T>(
  msMin: number,
  load: () => Promise<T>,
  nowMs: () => number = () => performance.now(),
): () => Promise<T> {
  let value: T | undefined;
  let untilMs = 0;
  let loading: Promise<T> | undefined;
  return () => {
    if (nowMs() < untilMs) return Promise.resolve(value as T);
    if (loading === undefined) {
      const beganMs = nowMs();
      loading = load()
        .then((loaded) => {
          const endedMs = nowMs();
          value = loaded;
          untilMs = endedMs + Math.max(msMin, SHARE_OF_TIME * (endedMs - beganMs));
          return loaded;
        })
        .finally(() => {
          loading = undefined;
        });
    }
    return loading;
  };
}
