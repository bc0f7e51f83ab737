"""Small programs that run inside the sandbox; their source text is handed to the interpreter there.

Each is standard library only, imports nothing of this project and writes its result as one JSON file.
"""
