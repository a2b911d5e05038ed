"""The body as a mesh: the mannequin's shape (mannequin, surface), a mesh for any skeleton (mesh), and what writers of
rigged files share (asset).
"""
