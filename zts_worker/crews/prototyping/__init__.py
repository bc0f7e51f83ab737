"""How a device's design becomes a prototype that runs on a PC: its bench, its wiring, its files."""
