"""The crews that ship with ZeroToShip, one module each; `reading` is what they all know about an idea."""
