from fastapi import APIRouter

router = APIRouter(prefix="/books")


@router.get("/{number}")
def one(number: int):
    return {"book": number}
