namespace Entrepot.Storage;

/// <summary>
/// Something that holds bytes of one blob: a stored object, or a fetch that is still running. Reads are positional, so one source
/// can be left at any offset and another taken up there. One reader at a time uses an instance; disposing it lets go of the bytes.
/// </summary>
public interface IBlobSource : IDisposable
{
    /// <summary>Waits until at least one byte at <paramref name="offset"/> can be read.</summary>
    /// <returns>False when this source will never hold it: the caller asks again who does.</returns>
    ValueTask<bool> WaitAsync(long offset, CancellationToken cancellationToken);

    /// <summary>Reads what is there at <paramref name="offset"/>, at most the buffer; 0 when the source has ended under the reader.</summary>
    ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>The file that holds the bytes at <paramref name="offset"/>, and how many of them are there now; null where they lie in none, or none are there.</summary>
    /// <remarks>The file is open until this source is disposed, for asynchronous use and with nobody's position.</remarks>
    FileStretch? FileAt(long offset);
}
