namespace Entrepot.TestSupport.Upstream;

/// <summary>What an upstream can do wrong.</summary>
public enum FaultKind
{
    /// <summary>One byte of the body is another.</summary>
    FlipByte,

    /// <summary>The body is one byte longer, and Content-Length agrees.</summary>
    ExtraByte,

    /// <summary>The body is shorter, and Content-Length agrees.</summary>
    ShortBody,

    /// <summary>The connection is closed (FIN) before the body is whole.</summary>
    Truncate,

    /// <summary>The connection is reset (RST) before the body is whole.</summary>
    Reset,

    /// <summary>The request is taken and never answered.</summary>
    HangBeforeHeaders,

    /// <summary>The body stops coming and the connection stays open.</summary>
    HangMidBody,

    /// <summary>A page of HTML with status 200, as a captive portal sends.</summary>
    Html200,

    /// <summary>Docker-Content-Digest names another digest.</summary>
    WrongDigestHeader,

    /// <summary>An error status with its OCI error JSON.</summary>
    Status,

    /// <summary>The body comes chunked, without Content-Length.</summary>
    NoContentLength,

    /// <summary>A range is answered with 200 and the whole body.</summary>
    IgnoreRange,

    /// <summary>The connection is closed without any answer.</summary>
    Drop,

    /// <summary>The body comes slowly.</summary>
    Slow,
}
