"""The models that ship: TFLite files, their manifests and cards."""
