"""Operations on the keys of a key ring: in its key store where it has one, else in its file.

What a ring of its own keys needs imports no SDK: commands on a ring file must start quickly.
"""
