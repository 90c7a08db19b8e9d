"""The interfaces of LibreTranslate and DeepL, for programs that speak one of them already."""
