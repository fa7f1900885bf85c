"""Where ports meet machines: the only room that contains ``await`` and that touches the disk."""
