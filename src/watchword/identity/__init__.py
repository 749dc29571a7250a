"""What grants and flows share: who somebody is, what they may do, and the tokens that say so."""
