class ShapefileSet:
    def __init__(self, file, limits): pass
