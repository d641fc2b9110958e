"""What a camera can honestly say of a face's skin: places, indices, and a record that names what can't be measured. Pure.

Never part of the watching: it answers only when the path of a person's own request calls it, keeps no pixels, and diagnoses nothing.
"""
