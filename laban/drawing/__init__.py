"""Pictures of motions: the scene and its rasteriser, films, stills, the beats under them, and a page that plays."""
