"""The Motion Model Context Protocol: plug-ins of animation programs ask for motion on their own skeletons.

Written from the protocol's public pages (https://animatica.ai/mmcp/); its SDK and client are what tests compare with.
"""
