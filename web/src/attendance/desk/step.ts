/** One step of a decision: where it goes, what it says beside the reason, and its words. */
export interface Step { path: string; body: Record<string, string | number>; title: string; what: string; go: string; danger?: boolean }
