using Entrepot.TestSupport.Images;

namespace Entrepot.Bench.Upstreams;

/// <summary>A registry as plain files that lie where their URL says, for a web server that knows nothing of registries.</summary>
/// <param name="root">The folder that holds <c>v2</c>.</param>
internal sealed class RegistryFiles(string root)
{
    /// <summary>Writes an image.</summary>
    public async Task<BenchImage> AddAsync(Image image, string repository, string tag, CancellationToken cancellationToken)
    {
        var entry = new BenchImage(repository, tag, image.Digest, Of(image.Config!), [.. image.Layers.Select(layer => Of(layer.Content))]);
        foreach (var path in new[] { entry.ByTag, entry.ByDigest }) await WriteAsync(path, image.Manifest, cancellationToken);
        foreach (var blob in image.Blobs) await WriteAsync(entry.PathOf(Of(blob)), blob, cancellationToken);
        return entry;
    }

    /// <summary>Removes a repository with everything in it.</summary>
    public void Remove(string repository) => Directory.Delete(FileOf($"/v2/{repository}"), recursive: true);

    private static BenchBlob Of(Content content) => new(content.Digest, content.Size);

    private string FileOf(string path) => Path.Combine(root, path[1..]);

    private async Task WriteAsync(string path, Content content, CancellationToken cancellationToken)
    {
        var file = FileOf(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await using var from = content.Open();
        await using var to = File.Create(file);
        await from.CopyToAsync(to, 1 << 20, cancellationToken);
    }
}
