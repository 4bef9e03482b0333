"""Speed, as ratios: ours beside a hand-written peer in the same run, driven from a process of its own."""
