using System.Net;
using System.Net.Http.Headers;

namespace Entrepot.TestSupport.Images;

/// <summary>Pushes images to a registry by its API; blobs that are there already are not sent again. Safe to use from several threads.</summary>
/// <param name="registryUrl">For example <c>http://127.0.0.1:5000</c>.</param>
public sealed class RegistryPusher(Uri registryUrl) : IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = registryUrl, Timeout = TimeSpan.FromMinutes(10) };

    /// <summary>Pushes an image or an index with everything in it.</summary>
    /// <param name="image">What to push.</param>
    /// <param name="repository">For example <c>library/small</c>.</param>
    /// <param name="tag">The tag to set; null pushes by digest only.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="HttpRequestException">The registry refused; the message tells what it said.</exception>
    public async Task PushAsync(Image image, string repository, string? tag, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        foreach (var child in image.Children) await PushAsync(child, repository, tag: null, cancellationToken);
        if (image.Config is not null) await PushBlobAsync(image.Config, repository, cancellationToken);
        foreach (var layer in image.Layers) await PushBlobAsync(layer.Content, repository, cancellationToken);
        using var content = new ReadOnlyMemoryContent(image.ManifestBytes);
        content.Headers.ContentType = new MediaTypeHeaderValue(image.MediaType);
        using var put = await _client.PutAsync(new Uri($"/v2/{repository}/manifests/{tag ?? image.Digest}", UriKind.Relative), content, cancellationToken);
        await ExpectAsync(put, HttpStatusCode.Created, $"manifest {image.Digest} of {repository}", cancellationToken);
    }

    /// <summary>Pushes one blob.</summary>
    /// <exception cref="HttpRequestException">The registry refused; the message tells what it said.</exception>
    public async Task PushBlobAsync(Content blob, string repository, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blob);
        using var head = new HttpRequestMessage(HttpMethod.Head, new Uri($"/v2/{repository}/blobs/{blob.Digest}", UriKind.Relative));
        using var present = await _client.SendAsync(head, cancellationToken);
        if (present.StatusCode == HttpStatusCode.OK) return;
        using var started = await _client.PostAsync(new Uri($"/v2/{repository}/blobs/uploads/", UriKind.Relative), content: null, cancellationToken);
        await ExpectAsync(started, HttpStatusCode.Accepted, $"upload to {repository}", cancellationToken);
        var location = new Uri(registryUrl, started.Headers.Location!);
        var target = new UriBuilder(location) { Query = $"{location.Query.TrimStart('?')}{(location.Query.Length > 1 ? "&" : "")}digest={blob.Digest}" }.Uri;
        await using var bytes = blob.Open();
        using var content = new StreamContent(bytes, 1 << 18);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        content.Headers.ContentLength = blob.Size;
        using var put = await _client.PutAsync(target, content, cancellationToken);
        await ExpectAsync(put, HttpStatusCode.Created, $"blob {blob.Digest} of {repository}", cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private static async Task ExpectAsync(HttpResponseMessage response, HttpStatusCode expected, string what, CancellationToken cancellationToken)
    {
        if (response.StatusCode == expected) return;
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        throw new HttpRequestException($"Pushing {what}: {(int)response.StatusCode}, not {(int)expected}: {body}", inner: null, response.StatusCode);
    }
}
