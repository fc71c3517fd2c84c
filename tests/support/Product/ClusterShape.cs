using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Product;

/// <summary>
/// One api, one fetcher and one janitor, with a database, a virtual host and a bucket of their own at the servers that all tests of the run share.
/// </summary>
internal sealed class ClusterShape : IShape
{
    private const string Token = "token-of-the-tests-alone";
    private ServerShare _share = null!;

    public string? PostgresConnection => _share.PostgresConnection;

    public async Task<IReadOnlyList<ServiceProcess>> MakeAsync(Uri url, string dataDirectory, CancellationToken cancellationToken)
    {
        _share = await SharedServers.NewShareAsync(cancellationToken);
        return [Part("api", null), Part("fetcher", NewUrl()), Part("janitor", NewUrl())];

        ServiceProcess Part(string service, Uri? own)
        {
            var environment = new Dictionary<string, string?>
            {
                ["Entrepot__Database__ConnectionString"] = _share.PostgresConnection,
                ["Entrepot__Bus__Url"] = _share.Bus,
                ["Entrepot__Store__Endpoint"] = _share.S3.Endpoint.ToString(),
                ["Entrepot__Store__Bucket"] = _share.S3.Name,
                ["Entrepot__Store__AccessKey"] = TestBucket.AccessKey,
                ["Entrepot__Store__SecretKey"] = TestBucket.SecretKey,
                ["Entrepot__Internal__Token"] = Token,
            };
            // The file says where clients come; only the api listens there.
            if (own is not null) environment["Entrepot__Urls"] = own.GetLeftPart(UriPartial.Authority);
            return new ServiceProcess(service, own ?? url, "/readyz", environment);
        }
    }

    public async Task<IReadOnlyList<StoredBlobFile>> ListStoredAsync() => [.. (await _share.S3.ListAsync()).Select(o => new StoredBlobFile(o.Key, o.Size))];

    public Task SpoilStoredAsync(StoredBlobFile file, string? text) => text is null ? _share.S3.DeleteAsync(file.Path) : _share.S3.PutAsync(file.Path, text);

    public async ValueTask DisposeAsync()
    {
        if (_share is not null) await _share.DisposeAsync();
    }

    private static Uri NewUrl() => new($"http://127.0.0.1:{FreePort.Next()}");
}
