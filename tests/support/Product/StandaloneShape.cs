namespace Entrepot.TestSupport.Product;

/// <summary>One process, SQLite, files.</summary>
internal sealed class StandaloneShape : IShape
{
    private string _blobs = "";

    public string? PostgresConnection => null;

    public Task<IReadOnlyList<ServiceProcess>> MakeAsync(Uri url, string dataDirectory, CancellationToken cancellationToken)
    {
        _blobs = Path.Combine(dataDirectory, "blobs");
        return Task.FromResult<IReadOnlyList<ServiceProcess>>([new ServiceProcess("standalone", url, "/v2/", [])]);
    }

    public Task<IReadOnlyList<StoredBlobFile>> ListStoredAsync() =>
        Task.FromResult<IReadOnlyList<StoredBlobFile>>(!Directory.Exists(_blobs) ? [] : [.. new DirectoryInfo(_blobs).EnumerateFiles("*", SearchOption.AllDirectories).Select(f => new StoredBlobFile(f.FullName, f.Length))]);

    public Task SpoilStoredAsync(StoredBlobFile file, string? text)
    {
        if (text is null) File.Delete(file.Path);
        else File.WriteAllText(file.Path, text);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => default;
}
