namespace Entrepot.TestSupport.Product;

/// <summary>What differs between the shapes for who looks at Entrepot from outside: its processes, and where it keeps what it has pulled.</summary>
internal interface IShape : IAsyncDisposable
{
    /// <summary>Npgsql's connection string to its database; null where that is SQLite in the data folder.</summary>
    string? PostgresConnection { get; }

    /// <summary>Its processes, not yet started; the first one answers clients.</summary>
    Task<IReadOnlyList<ServiceProcess>> MakeAsync(Uri url, string dataDirectory, CancellationToken cancellationToken);

    /// <inheritdoc cref="EntrepotProcess.StoredBlobsAsync"/>
    Task<IReadOnlyList<StoredBlobFile>> ListStoredAsync();

    /// <inheritdoc cref="EntrepotProcess.SpoilStoredAsync"/>
    Task SpoilStoredAsync(StoredBlobFile file, string? text);
}

/// <summary>A blob in the store, as the store itself says.</summary>
/// <param name="Path">Where it is: a file's path or an object's key.</param>
/// <param name="Size">Its length in bytes.</param>
public sealed record StoredBlobFile(string Path, long Size)
{
    /// <summary><c>HEX.FENCE</c>, as the blobs table has it.</summary>
    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    /// <summary>The digest that its name says.</summary>
    public string Digest => "sha256:" + Name.Split('.')[0];
}
