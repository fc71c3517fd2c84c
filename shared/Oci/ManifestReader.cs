using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Entrepot.Oci;

/// <summary>
/// Reads manifests of every kind registries hold: OCI and Docker images and indexes, artifact manifests, Docker schema 1. It is as strict
/// as a cache must be (what could be read two ways is refused) and no stricter: unknown fields, empty or repeated layers, foreign layers
/// pass. Source: OCI image-spec v1.1 manifest.md and image-index.md; Docker's spec/manifest-v2-1 and -2.
/// </summary>
public static class ManifestReader
{
    private static readonly SearchValues<char> MediaTypeCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~/");

    /// <summary>What the manifest says, with the media type to serve it as.</summary>
    /// <param name="bytes">The manifest; not kept.</param>
    /// <param name="contentType">
    /// The response's Content-Type. A known or vendor type is kept verbatim without its parameters; another (<c>application/json</c>,
    /// <c>text/plain</c>, none…) gives way to the body's mediaType, else to what the fields look like; HTML is refused.
    /// </param>
    /// <exception cref="InvalidManifestException">They are no manifest, or one that contradicts itself or its type.</exception>
    public static ParsedManifest Read(ReadOnlyMemory<byte> bytes, string? contentType)
    {
        var said = WithoutParameters(contentType);
        if (MediaTypes.Is(said, "text/html") || MediaTypes.Is(said, "application/xhtml+xml"))
            throw new InvalidManifestException("The answer is a web page, not a manifest: the upstream's address may be that of a login or error page.");

        try
        {
            using var document = JsonDocument.Parse(bytes);
            return Read(document.RootElement, said);
        }
        catch (JsonException e)
        {
            var start = SafeText.Of(Encoding.Latin1.GetString(bytes.Span[..Math.Min(bytes.Length, 32)]));
            throw new InvalidManifestException($"The manifest of {bytes.Length} bytes is not JSON; it starts with '{start}'.", e);
        }
        catch (InvalidOperationException e)
        {
            // What JsonElement throws for text that is not Unicode, found only when the text is asked for.
            throw new InvalidManifestException("The manifest holds text that is not valid UTF-8.", e);
        }
    }

    private static ParsedManifest Read(JsonElement root, string? contentType)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new InvalidManifestException($"The manifest is {root.ValueKind}, not a JSON object.");

        var bodyType = VendorTypeOrNull(DescriptorReader.TextOrNull(root, "mediaType"));
        var headerType = VendorTypeOrNull(contentType);
        var shape = ManifestShapes.Of(root, headerType, bodyType);
        var children = ReadChildren(root, shape);
        return new ParsedManifest
        {
            MediaType = headerType ?? bodyType ?? Guess(root, shape, children),
            IsIndex = shape == ManifestShape.Index,
            Children = children,
            Subject = root.TryGetProperty("subject", out var subject) && subject.ValueKind != JsonValueKind.Null
                ? DescriptorReader.Read(subject, "subject")
                : null,
            ArtifactType = DescriptorReader.TextOrNull(root, "artifactType") ?? ConfigTypeOrNull(root, shape),
            Annotations = DescriptorReader.AnnotationsOrNull(root),
        };
    }

    private static List<ManifestChild> ReadChildren(JsonElement root, ManifestShape shape)
    {
        var children = new List<ManifestChild>();
        switch (shape)
        {
            case ManifestShape.Index:
                ReadList(root, "manifests", ReferenceRole.Manifest, children);
                break;
            case ManifestShape.Schema1:
                ReadSchema1Layers(root, children);
                break;
            default:
                if (root.TryGetProperty("config", out var config) && config.ValueKind != JsonValueKind.Null)
                    children.Add(new ManifestChild(ReferenceRole.Config, DescriptorReader.Read(config, "config")));
                ReadList(root, "layers", ReferenceRole.Layer, children);
                ReadList(root, "blobs", ReferenceRole.Layer, children);
                break;
        }

        return children;
    }

    private static void ReadList(JsonElement root, string field, ReferenceRole role, List<ManifestChild> children)
    {
        var index = 0;
        foreach (var element in Elements(root, field))
            children.Add(new ManifestChild(role, DescriptorReader.Read(element, $"{field}[{index++}]")));
    }

    private static void ReadSchema1Layers(JsonElement root, List<ManifestChild> children)
    {
        var index = 0;
        foreach (var element in Elements(root, "fsLayers"))
        {
            var place = $"fsLayers[{index++}]";
            if (element.ValueKind != JsonValueKind.Object)
                throw new InvalidManifestException($"The manifest's {place} is {element.ValueKind}, not an object.");

            children.Add(new ManifestChild(ReferenceRole.Layer, new Descriptor
            {
                MediaType = MediaTypes.DockerLayer,
                Digest = DescriptorReader.ReadDigest(element, "blobSum", place),
                Size = Descriptor.UnknownSize,
            }));
        }
    }

    private static JsonElement.ArrayEnumerator Elements(JsonElement root, string field)
    {
        // Go writes an empty list as null.
        if (!root.TryGetProperty(field, out var list) || list.ValueKind == JsonValueKind.Null)
            return default;

        return list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : throw new InvalidManifestException(
            $"The manifest's {field} is {list.ValueKind}, not a list.");
    }

    private static string? ConfigTypeOrNull(JsonElement root, ManifestShape shape) =>
        shape == ManifestShape.Image && root.TryGetProperty("config", out var config) && config.ValueKind == JsonValueKind.Object
            ? DescriptorReader.TextOrNull(config, "mediaType")
            : null;

    private static string Guess(JsonElement root, ManifestShape shape, List<ManifestChild> children)
    {
        // Docker's own documents always carry mediaType; one that lost it still shows by the types of its children.
        var isDocker = children.Exists(c => c.Descriptor.MediaType.StartsWith("application/vnd.docker.", StringComparison.OrdinalIgnoreCase));
        return shape switch
        {
            ManifestShape.Index => isDocker ? MediaTypes.DockerManifestList : MediaTypes.OciIndex,
            ManifestShape.Schema1 => root.TryGetProperty("signatures", out _) ? MediaTypes.DockerSchema1Signed : MediaTypes.DockerSchema1,
            _ => isDocker ? MediaTypes.DockerManifest : MediaTypes.OciManifest,
        };
    }

    private static string? WithoutParameters(string? contentType)
    {
        var end = contentType?.IndexOf(';', StringComparison.Ordinal) ?? -1;
        return (end < 0 ? contentType : contentType![..end])?.Trim();
    }

    /// <summary>The type itself when it is one that may be served on (every known manifest type is a vendor type), else null.</summary>
    private static string? VendorTypeOrNull(string? mediaType) =>
        mediaType is { Length: <= 255 }
        && mediaType.StartsWith("application/vnd.", StringComparison.OrdinalIgnoreCase)
        && !mediaType.AsSpan().ContainsAnyExcept(MediaTypeCharacters)
        && mediaType.AsSpan().Count('/') == 1
            ? mediaType
            : null;
}
