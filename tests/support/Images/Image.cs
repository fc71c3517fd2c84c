namespace Entrepot.TestSupport.Images;

/// <summary>An image or an index of images, ready to be pushed. Immutable.</summary>
public sealed class Image
{
    internal Image(string mediaType, byte[] manifest, Content? config, IReadOnlyList<Layer> layers, IReadOnlyList<Image> children)
    {
        MediaType = mediaType;
        Manifest = Content.Of(manifest);
        ManifestBytes = manifest;
        Config = config;
        Layers = layers;
        Children = children;
    }

    /// <summary>The manifest's media type.</summary>
    public string MediaType { get; }

    /// <summary>The manifest's digest, which is the image's.</summary>
    public string Digest => Manifest.Digest;

    /// <summary>The manifest as content.</summary>
    public Content Manifest { get; }

    /// <summary>The manifest's bytes, as every client must get them.</summary>
    public ReadOnlyMemory<byte> ManifestBytes { get; }

    /// <summary>The config; null for an index.</summary>
    public Content? Config { get; }

    /// <summary>The layers; empty for an index.</summary>
    public IReadOnlyList<Layer> Layers { get; }

    /// <summary>The images of an index; empty for an image.</summary>
    public IReadOnlyList<Image> Children { get; }

    /// <summary>Config and layers of this image and of its children, each digest once.</summary>
    public IReadOnlyList<Content> Blobs =>
        Children.SelectMany(child => child.Blobs)
            .Concat(Config is null ? [] : [Config])
            .Concat(Layers.Select(layer => layer.Content))
            .DistinctBy(blob => blob.Digest)
            .ToArray();
}
